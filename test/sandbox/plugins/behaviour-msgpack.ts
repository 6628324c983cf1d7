import { plugin } from './behaviour.ts';

export default plugin('behaviour-msgpack', 'msgpack', 'fail');
