import { plugin } from './behaviour.ts';

export default plugin('hasty-msgpack', 'msgpack', 'fail', 300);
