/** A thread that does what it is told, for the tests of LuaThread. */
import { serveLuaThread } from '../../../../src/lua/index.ts';

serveLuaThread<{ greeting: string }, string | { what: string }, string>(
  async ({ greeting }) =>
    (job, step) => {
      const what = typeof job === 'string' ? job : job.what;
      step();
      step();
      if (what === 'loop') for (;;);
      if (what === 'exit') process.exit(3);
      if (what === 'throw') throw new Error('as it was told');
      return `${greeting} ${what}`;
    },
);
