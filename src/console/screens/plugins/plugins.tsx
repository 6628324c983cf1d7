import type { JSX } from 'preact';
import { readPlugins } from '../../api/service.ts';
import { useResource } from '../../api/resource.ts';
import type { PluginError, PluginServer } from '../../api/types.ts';
import { Page } from '../../shell/page.tsx';
import { visible } from '../../text/visible.ts';
import { Loading } from '../../ui/loading.tsx';
import { Time } from '../../ui/marks.tsx';
import { Table } from '../../ui/table.tsx';
import { PluginCharts } from './plugin-charts.tsx';
import { ServerFacts, Workers } from './server-facts.tsx';

/** The plugin server beside the dispatcher: how its plugins fare, and what went wrong last. */
export default function Plugins(): JSX.Element {
  const plugins = useResource('plugins', readPlugins, { everyMs: 10_000 });
  return (
    <Page title="Plugins">
      <Loading from={plugins} what="the plugin server">
        {(answer) =>
          answer.server === null || answer.series === null ? (
            <div class="card stack">
              <h2>No plugin server</h2>
              <p>{visible(answer.reason ?? 'The dispatcher does not say why.')}</p>
            </div>
          ) : (
            <>
              <ServerFacts server={answer.server} />
              <Failures server={answer.server} />
              <PluginCharts series={answer.series} plugins={answer.server.plugins} />
              <Workers workers={answer.server.workers} />
              <Errors errors={answer.errors} />
            </>
          )
        }
      </Loading>
    </Page>
  );
}

function Failures({ server: { failures } }: { server: PluginServer }): JSX.Element | null {
  if (failures.length === 0) return null;
  return (
    <section class="stack" aria-label="Plugins that could not be loaded">
      {failures.map(({ spec, message, stack }) => (
        <div key={spec} class="notice bad">
          <div class="stack tight">
            <p>
              <strong>{visible(spec)}</strong> could not be loaded: {visible(message)}
            </p>
            <Stack text={stack} />
          </div>
        </div>
      ))}
    </section>
  );
}

const Errors = ({ errors }: { errors: readonly PluginError[] }): JSX.Element => (
  <section class="stack" aria-labelledby="errors">
    <h2 id="errors">Last errors</h2>
    <div class="card flush">
      {errors.length === 0 ? (
        <p class="empty">None since the server has started.</p>
      ) : (
        <Table
          caption="Last errors of plugins, the latest first"
          rows={errors}
          keyOf={({ at, plugin, phase, message }) => `${String(at)} ${plugin} ${phase} ${message}`}
          columns={[
            { name: 'Time', cell: ({ at }) => <Time at={at * 1000} /> },
            { name: 'Plugin', heads: true, cell: ({ plugin, phase }) => `${visible(plugin)}, ${phase}` },
            { name: 'Error', cell: (error) => <ErrorText error={error} /> },
          ]}
        />
      )}
    </div>
  </section>
);

const ErrorText = ({ error: { message, stack } }: { error: PluginError }): JSX.Element => (
  <div class="stack tight">
    <span class="error-text">{visible(message)}</span>
    <Stack text={stack} />
  </div>
);

const Stack = ({ text }: { text: string | null }): JSX.Element | null =>
  text === null ? null : (
    <details class="as-table">
      <summary>Stack</summary>
      <pre class="answer">{visible(text)}</pre>
    </details>
  );
