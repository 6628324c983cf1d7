/** Versions of Kong that a plugin can be written for, oldest first. */
export const kongVersions = ['3.4', '3.5', '3.6', '3.7', '3.8', '3.9'] as const;

/** A version of Kong that a plugin can be written for. */
export type KongVersion = (typeof kongVersions)[number];

/** The version for a plugin that names none: the one whose answers the catalogue was measured on. */
export type DefaultKongVersion = '3.9';
export const defaultKongVersion: DefaultKongVersion = '3.9';

/** The versions from the oldest to `V`: a function of one of them is there in `V`. */
export type UpTo<
  V extends KongVersion,
  All extends readonly string[] = typeof kongVersions,
> = All extends readonly [...infer Rest extends readonly string[], infer Last]
  ? Last extends V
    ? All[number]
    : UpTo<V, Rest>
  : never;
