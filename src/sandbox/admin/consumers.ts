import { message } from './answers.ts';
import type { EntityManners } from './entities.ts';

/** Consumers are found by `?custom_id=`. */
export const consumerManners: EntityManners = {
  search({ query, state, workspace }) {
    const customId = query.get('custom_id');
    if (customId === null) return undefined;
    if (customId === '') return message(400, 'custom_id must be an unempty string');
    const consumer = state.store.table('consumers').byUnique('custom_id', workspace, customId);
    return consumer === undefined ? [] : [consumer];
  },
};
