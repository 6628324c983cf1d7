// The peer's side of the benchmark: the same program as ../ours/bench.ts, written for kong-pdk 0.6.
class Bench {
  constructor(config) {
    this.config = config;
  }
  async access(kong) {
    for (let i = 0; i < this.config.n; i += 1) await kong.request.getHeader(`x-multi-${i}`);
    await kong.response.setHeader('x-bench', '1');
    for (let i = 1; i < (this.config.setters ?? 1); i += 1)
      await kong.response.setHeader(`x-bench-${i}`, '1');
  }
  async log(kong) {
    await kong.log.serialize();
  }
}

module.exports = {
  Plugin: Bench,
  Schema: [
    { n: { type: 'integer', default: 0 } },
    { burst: { type: 'boolean', default: false } },
    { setters: { type: 'integer', default: 1 } },
  ],
  Version: '1.0.0',
  Priority: 10,
};
