import { beside } from './beside.ts';

export default beside('msgpack');
