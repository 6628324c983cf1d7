import { plugin } from './behaviour.ts';

export default plugin('hasty-protobuf', 'protobuf', 'fail', 300);
