import { plugin } from './behaviour.ts';

export default plugin('behaviour-protobuf', 'protobuf', 'fail');
