import { KongTsError } from '../base/errors.ts';

/** What a version of Kong does with external plugins, as far as it matters to the configuration. */
export interface KongFacts {
  /** `3.9`, as given. */
  readonly version: string;
  /** A server's dump may list many plugins (until 3.8); from 3.9 only the first is read. */
  readonly manyPluginsPerServer: boolean;
  /** A server without `start_cmd` is used (not in 3.1 to 3.4: they wait 20 s for it and skip it). */
  readonly externalServers: boolean;
  /** A ProtoBuf:1 connection that the server closes resets Kong's instances (from 3.0). */
  readonly protobufResets: boolean;
  /** What users of this version have to know, as sentences. */
  readonly notes: readonly string[];
}

const supported = ['2.8', '3.0', '3.1', '3.2', '3.3', '3.4', '3.5', '3.6', '3.7', '3.8', '3.9'] as const;

/**
 * Facts of a Kong version (read in Kong's open-source tree, tags 2.3.0 to 3.9.3, and measured on 3.9.3).
 * @param text `3.9`, `3.9.3`, `3.4.3.1-enterprise-edition`, ...; versions after 3.9 are taken as 3.9
 * @throws KongTsError USAGE for anything else
 */
export function factsOf(text: string): KongFacts {
  const match = /^v?(\d+)\.(\d+)(?:\.\d+)*(?:-[\w.-]+)?$/.exec(text.trim());
  const major = Number(match?.[1]);
  const minor = Number(match?.[2]);
  if (match === null || major < 2 || (major === 2 && minor < 8)) {
    throw new KongTsError('USAGE', `Kong version "${text}" is not one that kong-ts knows.`, {
      fix: `Use one of ${supported.join(', ')}.`,
    });
  }
  const number = major * 100 + minor;
  const between = (first: number, last: number): boolean => number >= first && number <= last;
  const notes: string[] = [];
  if (number <= 300) {
    notes.push(
      `Kong ${String(major)}.${String(minor)} tries again without end when a plugin does not start with its configuration (StartInstance fails): try the configuration out first, in kong-ts sandbox or a newer Kong.`,
    );
  }
  if (number < 300) {
    notes.push(
      'Kong 2.8 does not recover ProtoBuf:1 instances after a restart of the plugin server; use protocol: "msgpack".',
    );
  }
  if (between(305, 306)) {
    notes.push(
      'Kong 3.5 and 3.6 do not drop a MsgPack:1 instance that a restarted server no longer knows and try again without end; use ProtoBuf:1.',
    );
  }
  if (number === 306)
    notes.push(
      'Kong 3.6 does not see a changed configuration of a live external plugin: run kong reload after a change.',
    );
  if (number < 308)
    notes.push(
      'Before 3.8 a failed ProtoBuf:1 event lets the request go on; from 3.8 the client gets a 500.',
    );
  return {
    version: `${String(major)}.${String(minor)}`,
    manyPluginsPerServer: number < 309,
    externalServers: !between(301, 304),
    protobufResets: number >= 300,
    notes,
  };
}
