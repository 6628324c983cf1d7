import type { Command } from 'commander';
import { KongAdmin } from '../kong-admin/index.ts';
import { readSecret, secrets } from '../base/secrets.ts';

/** Where a command finds Kong's Admin API, and how it logs in there. */
export interface KongAdminOptions {
  adminUrl?: string;
  adminUrlFile?: string;
  token?: string;
  tokenFile?: string;
}

/** Gives a command the options for Kong's Admin API; each secret can come from a file. */
export function withKongAdmin(command: Command, what: string): Command {
  return command
    .option('--admin-url <url>', what)
    .option(
      '--admin-url-file <file>',
      'the same from a file, for a URL with user and password (or KONG_TS_KONG_ADMIN, KONG_TS_KONG_ADMIN_FILE)',
    )
    .option('--token <token>', 'sent as Kong-Admin-Token (better: --token-file)')
    .option('--token-file <file>', 'the token from a file (or KONG_ADMIN_TOKEN, KONG_ADMIN_TOKEN_FILE)');
}

/**
 * Kong's Admin API as the options, files and environment name it; null where none of them does.
 * @throws KongTsError FILE_UNREADABLE
 */
export function kongAdminOf(
  options: KongAdminOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): KongAdmin | null {
  const urlSecret = { ...secrets.kongAdmin, flag: '--admin-url-file' };
  const url = options.adminUrl ?? readSecret(urlSecret, options.adminUrlFile, environment);
  if (url === null) return null;
  const tokenSecret = { ...secrets.kongToken, flag: '--token-file' };
  const token = options.token ?? readSecret(tokenSecret, options.tokenFile, environment);
  return new KongAdmin({ url, ...(token === null ? {} : { token }) });
}
