/** Largest frame or message that is read unless configured otherwise, in bytes: 64 MiB. */
export const defaultMaxFrameBytes = 64 * 1024 * 1024;
