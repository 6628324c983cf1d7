import { loadPlugin } from '../../plugin/index.ts';

/**
 * A process of its own: a plugin that is loaded may start whatever it wants. It tells its parent the environment variables
 * that the plugin reads.
 */
const { environment = [] } = await loadPlugin(process.argv[2] ?? '');
process.send?.(environment, () => process.exit());
