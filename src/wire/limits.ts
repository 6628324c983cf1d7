/** Largest frame or message that is read unless configured otherwise, in bytes: 64 MiB. */
export const DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024;
