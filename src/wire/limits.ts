/** The largest frame or message that is read by default, in bytes: 64 MiB. */
export const defaultMaxFrameBytes = 64 * 1024 * 1024;
