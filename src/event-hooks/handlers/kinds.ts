import { KindSet } from '../model/kind-set.ts';
import { lambda } from './lambda.ts';
import type { HandlerKind } from './kind.ts';
import { log } from './log.ts';
import { webhookCustom } from './webhook-custom.ts';
import { webhook } from './webhook.ts';

/** The kinds of handler that hooks can name, in the order in which errors list them. */
export const allKinds = [webhook, webhookCustom, log, lambda] as const;

/** The same with what follows from them. */
export const handlerKinds: KindSet<HandlerKind> = new KindSet<HandlerKind>(allKinds);
