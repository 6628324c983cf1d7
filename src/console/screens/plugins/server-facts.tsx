import type { JSX } from 'preact';
import type { PluginServer, ServerWorker } from '../../api/types.ts';
import { bytes, compact, count, latency } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { Badge, Time } from '../../ui/marks.tsx';
import { Table } from '../../ui/table.tsx';

export function ServerFacts({ server }: { server: PluginServer }): JSX.Element {
  const restarts = Object.entries(server.restarts).filter(([, n]) => n > 0);
  return (
    <div class="columns">
      <section class="card stack" aria-labelledby="server">
        <h2 id="server">Server</h2>
        <dl class="facts">
          <dt>State</dt>
          <dd>
            <StateOf state={server.state} />
          </dd>
          <dt>Process</dt>
          <dd>
            {server.pid}, started <Time at={server.started_at * 1000} />
          </dd>
          <dt>Restarts</dt>
          <dd>
            {restarts.length === 0
              ? 'no worker had to be started again'
              : restarts.map(([why, n]) => `${count(n)} × ${visible(why)}`).join(', ')}
          </dd>
          <dt>Configurations</dt>
          <dd>
            {count(server.instances)}
            {server.unknown_instances > 0
              ? `, and ${count(server.unknown_instances)} asked for that nobody knows`
              : ''}
          </dd>
          <dt>Connections that wait</dt>
          <dd>{count(server.waiting_connections)}</dd>
        </dl>
      </section>
      <section class="card stack" aria-labelledby="plugins">
        <h2 id="plugins">Plugins</h2>
        <Table
          caption="Plugins of this server"
          rows={server.plugins}
          keyOf={({ name }) => name}
          columns={[
            {
              name: 'Name',
              heads: true,
              cell: ({ name, version }) => `${visible(name)} ${visible(version)}`,
            },
            { name: 'Priority', kind: 'number', cell: ({ priority }) => priority },
            { name: 'Phases', cell: ({ phases }) => phases.join(', ') },
            { name: 'Protocol', cell: ({ protocol }) => protocol },
          ]}
        />
      </section>
    </div>
  );
}

const StateOf = ({ state }: { state: string }): JSX.Element => (
  <Badge tone={state === 'ready' || state === 'serving' ? 'good' : 'wait'}>{state}</Badge>
);

export const Workers = ({ workers }: { workers: readonly ServerWorker[] }): JSX.Element => (
  <section class="stack" aria-labelledby="workers">
    <h2 id="workers">Workers</h2>
    <div class="card flush">
      <Table
        caption="Workers of the plugin server"
        rows={workers}
        keyOf={({ slot }) => String(slot)}
        columns={[
          {
            name: 'Worker',
            heads: true,
            cell: ({ slot, pid }) => `${String(slot)} (process ${pid === null ? 'none' : String(pid)})`,
          },
          { name: 'State', cell: ({ state }) => <StateOf state={state} /> },
          { name: 'Started', cell: ({ started_at: at }) => <Time at={at === null ? null : at * 1000} /> },
          { name: 'Connections', kind: 'number', cell: ({ connections }) => known(connections, count) },
          { name: 'Memory', kind: 'number', cell: ({ rss_bytes: size }) => known(size, bytes) },
          { name: 'Loop delay', kind: 'number', cell: ({ loop_delay_ms: ms }) => known(ms, latency) },
          { name: 'Events', kind: 'number', cell: ({ events }) => known(events, compact) },
        ]}
      />
    </div>
  </section>
);

const known = (value: number | null, format: (value: number) => string): string =>
  value === null ? 'not known' : format(value);
