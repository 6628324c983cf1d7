import { basename } from 'node:path';
import { Refusal } from './refusal.js';

/** Kong's own plugins: a plugin of the same name would not be loaded, or take the place of one. */
const bundled = new Set(
  `acl acme ai-prompt-decorator ai-prompt-guard ai-prompt-template ai-proxy aws-lambda azure-functions basic-auth
  bot-detection correlation-id cors datadog file-log grpc-gateway grpc-web hmac-auth http-log ip-restriction jwt key-auth
  ldap-auth loggly oauth2 opentelemetry post-function pre-function prometheus proxy-cache rate-limiting
  redirect request-size-limiting request-termination request-transformer response-ratelimiting
  response-transformer session standard-webhooks statsd syslog tcp-log udp-log zipkin http-log-enterprise`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

/**
 * @typedef {object} Names
 * @property {string} plugin in Kong, and of its file
 * @property {string} project of the package
 */

/**
 * @param {string} root folder of the project
 * @param {string} plugin
 * @returns {Names}
 */
export function checkNames(root, plugin) {
  if (plugin === '')
    throw new Refusal(
      `The folder "${basename(root)}" gives no name for the plugin. Give one: --name my-plugin.`,
      2,
    );
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(plugin) || plugin.length > 100)
    throw new Refusal(
      `"${plugin}" is no name for a plugin. Use lower case letters, digits, - and _, and begin with a letter or a digit, ` +
        'such as --name my-plugin.',
      2,
    );
  if (bundled.has(plugin))
    throw new Refusal(
      `"${plugin}" is the name of a plugin that is there already. Choose another one: --name my-${plugin}.`,
      2,
    );
  return { plugin, project: plugin };
}

/** `My Plugin (2)` becomes `my-plugin-2`; empty where nothing is left. @param {string} text */
export function pluginNameOf(text) {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}
