export { claimSocket } from './claim.ts';
export type { ClaimedSocket, Connection } from './claim.ts';
export { predecessorPath, temporarySocketPath } from './path.ts';
export { adoptSocket, lookAt, placeSocket } from './place.ts';
export type { AdoptedSocket, PlacedSocket, SocketFile } from './place.ts';
export { makePrivateFile, makePrivateFolder, useOwnUmask } from './private.ts';
