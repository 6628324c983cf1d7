import { Refusal } from './refusal.js';

/**
 * @typedef {object} Template
 * @property {string} name also of its folder
 * @property {string} about one line
 * @property {string} file of the plugin, with `__plugin__` for its name
 */

/** @type {readonly Template[]} */
export const templates = [
  { name: 'plain', about: 'changes requests and answers', file: 'plugins/__plugin__.ts' },
  {
    name: 'state',
    about: 'keeps state over requests: a limit for each consumer',
    file: 'plugins/__plugin__.ts',
  },
  {
    name: 'http-log',
    about: 'sends the log of requests to an endpoint, in batches',
    file: 'plugins/__plugin__.ts',
  },
  { name: 'event-hooks', about: 'tells webhooks what happens in the gateway', file: 'plugins/__plugin__.ts' },
  {
    name: 'kong-pdk',
    about: 'a plugin written for kong-pdk (kong-js-pdk), run as it is',
    file: 'plugins/__plugin__.cjs',
  },
];

/** @param {string} name @returns {Template} */
export function findTemplate(name) {
  const found = templates.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new Refusal(
    `There is no template "${name}". Templates are ${templates.map((each) => each.name).join(', ')}.`,
    2,
  );
}
