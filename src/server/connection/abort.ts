/**
 * A call of a function that Kong does not have, as ProtoBuf:1 frames. Kong then aborts the event with a 500 (measured
 * on Kong 3.9.3). If the connection only ended, Kong would try the event again and again, on one worker after the
 * other.
 */
export const eventAborted = frames('kong.kong_ts.worker_ended', '');

function frames(...bodies: string[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(body));
      return [length, Buffer.from(body)];
    }),
  );
}
