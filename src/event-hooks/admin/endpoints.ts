import type { Endpoint } from './endpoint.ts';
import { draftEndpoints } from './drafts.ts';
import { rotateEndpoints } from './rotate.ts';
import { deliveryEndpoints } from './deliveries.ts';
import { historyEndpoints } from './history.ts';
import { hookEndpoints } from './hooks.ts';
import { streamEndpoints } from './live/stream.ts';
import { replayEndpoints } from './replays/endpoints.ts';
import { overviewEndpoints } from './overview.ts';
import { receiverEndpoints } from './receiver.ts';
import { sessionEndpoints } from './session.ts';
import { serviceEndpoints } from './service.ts';
import { sourceEndpoints } from './sources.ts';

/** The whole Admin API of event hooks, in the order of its document. A new endpoint is a row in one of these lists. */
export const endpoints: readonly Endpoint[] = [
  ...hookEndpoints,
  ...deliveryEndpoints,
  ...historyEndpoints,
  ...sourceEndpoints,
  ...serviceEndpoints,
  ...replayEndpoints,
  ...receiverEndpoints,
  ...overviewEndpoints,
  ...draftEndpoints,
  ...rotateEndpoints,
  ...sessionEndpoints,
  ...streamEndpoints,
];
