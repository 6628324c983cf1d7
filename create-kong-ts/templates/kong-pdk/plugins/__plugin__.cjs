'use strict';
// A plugin as kong-pdk (kong-js-pdk) knows it, run as it is. `.cjs`, because the package is one of modules.
//
// To move it to kong-ts, write plugins/__plugin__.ts with definePlugin: Schema becomes a zod object, access(kong) gets the
// configuration as its second argument, and kong-ts checks calls by their phase. Both may have the same name: remove this file then.

class Plugin {
  constructor(config) {
    this.config = config;
  }

  async access(kong) {
    const host = await kong.request.getHeader('host');
    await kong.response.setHeader('x-hello-from', `${this.config.message} to ${host ?? 'nobody'}`);
  }
}

module.exports = {
  Plugin,
  Name: '__plugin__',
  Schema: [{ message: { type: 'string', default: 'hello' } }],
  Version: '1.0.0',
  Priority: 100,
};
