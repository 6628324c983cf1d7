import { plugin } from './behaviour.ts';

export default plugin('lenient-protobuf', 'protobuf', 'continue');
