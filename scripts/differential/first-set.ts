import { adminExchanges } from './exchanges/admin.ts';
import { answerExchanges } from './exchanges/answers.ts';
import { bufferedExchanges } from './exchanges/buffered.ts';
import { configurationExchanges } from './exchanges/configuration.ts';
import { pluginExchanges, startsThatFail } from './exchanges/plugins.ts';
import { requestExchanges } from './exchanges/requests.ts';
import { routingExchanges } from './exchanges/routing.ts';
import { setterExchanges } from './exchanges/setters.ts';
import type { Exchange } from './exchange.ts';

/**
 * The smallest example of each kind in which the sandbox was once seen to differ from a real Kong 3.9.3, with what that
 * Kong answered, as far as it was written down.
 */
export const firstSet: readonly Exchange[] = [
  ...pluginExchanges,
  ...configurationExchanges,
  ...answerExchanges,
  ...bufferedExchanges,
  ...routingExchanges,
  ...requestExchanges,
  ...setterExchanges,
  ...adminExchanges,
  ...startsThatFail,
];
