import type { Hook } from '../api/types.ts';

/** The event that a hook is for, as the console writes it. */
export const subject = ({ source, event }: Pick<Hook, 'source' | 'event'>): string =>
  `${source} / ${event ?? 'every event'}`;

/** Where a hook's deliveries go, in a line. */
export function target({ handler, config }: Pick<Hook, 'handler' | 'config'>): string {
  const { url, functions } = config;
  if (typeof url === 'string') return typeof config.method === 'string' ? `${config.method} ${url}` : url;
  if (handler === 'log') return "the dispatcher's log";
  if (Array.isArray(functions))
    return `${String(functions.length)} Lua function${functions.length === 1 ? '' : 's'}`;
  return handler;
}

export const isOn = ({ enabled }: Pick<Hook, 'enabled'>): boolean => enabled !== false;
