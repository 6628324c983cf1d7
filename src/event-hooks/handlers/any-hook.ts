import type { z } from 'zod';
import type { HookBase } from '../model/hook.ts';
import type { HandlerKind } from './kind.ts';
import type { allKinds } from './kinds.ts';

type HookOfKind<Kind> =
  Kind extends HandlerKind<infer Name, infer Schema>
    ? HookBase & { handler: Name; config: z.output<Schema> }
    : never;
/** A hook as the Admin API shows it. */
export type Hook = HookOfKind<(typeof allKinds)[number]>;
