import { plugin } from './behaviour.ts';

export default plugin('lenient-msgpack', 'msgpack', 'continue');
