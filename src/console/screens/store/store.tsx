import type { ComponentChildren, JSX } from 'preact';
import { useResource } from '../../api/resource.ts';
import { readStore } from '../../api/service.ts';
import type { StoreAnswer } from '../../api/types.ts';
import { Page } from '../../shell/page.tsx';
import { bytes, count, span } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { Loading } from '../../ui/loading.tsx';
import { Badge, Time } from '../../ui/marks.tsx';

/** Where everything is kept, who delivers, and who watches Kong. */
export default function Store(): JSX.Element {
  const store = useResource('store', readStore, { everyMs: 5000 });
  return (
    <Page title="Store and nodes">
      <Loading from={store} what="the store">
        {(value) => (
          <>
            <div class="columns">
              <Kept store={value} />
              <Delivering store={value} />
            </div>
            <div class="columns">
              <Watching store={value} />
              <section class="card stack" aria-labelledby="nodes">
                <h2 id="nodes">Nodes</h2>
                <p class="quiet">{visible(value.nodes_reason)}</p>
              </section>
            </div>
          </>
        )}
      </Loading>
    </Page>
  );
}

type Facts = readonly (readonly [name: string, value: ComponentChildren])[];

const Section = ({ id, title, facts }: { id: string; title: string; facts: Facts }): JSX.Element => (
  <section class="card stack" aria-labelledby={id}>
    <h2 id={id}>{title}</h2>
    <dl class="facts">
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  </section>
);

function Kept({ store }: { store: StoreAnswer }): JSX.Element {
  const { kind, durable, healthy, folder, size_bytes: size, size_reason: reason, retention, version } = store;
  return (
    <Section
      id="kept"
      title="Store"
      facts={[
        ['State', <Badge tone={healthy ? 'good' : 'bad'}>{healthy ? 'healthy' : 'does not store'}</Badge>],
        ['Kind', visible(kind)],
        [
          'Durability',
          durable
            ? 'what is acknowledged survives the process'
            : 'everything ends with the process (--data-dir keeps it)',
        ],
        [
          'Folder',
          folder === null ? <span class="quiet">none</span> : <span class="mono">{visible(folder)}</span>,
        ],
        ['Size', size === null ? <Unknown reason={reason} /> : bytes(size)],
        ['Keeps', `${span(retention.age_seconds * 1000)}, and the latest ${count(retention.events)} events`],
        ['kong-ts', visible(version)],
      ]}
    />
  );
}

function Delivering({ store }: { store: StoreAnswer }): JSX.Element {
  const { delivering, lease, unfinished, lag_seconds: lag, lag_reason: reason } = store;
  return (
    <Section
      id="delivering"
      title="Delivery"
      facts={[
        [
          'This process',
          <Badge tone={delivering ? 'good' : 'plain'}>{delivering ? 'delivers' : 'stands by'}</Badge>,
        ],
        [
          'Lease',
          lease.owner === null ? (
            <span class="quiet">{lease.reason ?? 'nobody has it'}</span>
          ) : (
            <span class="mono">{visible(lease.owner)}</span>
          ),
        ],
        [
          'Until',
          lease.until === null ? <span class="quiet">–</span> : <Time at={lease.until * 1000} absolute />,
        ],
        ['Epoch', lease.epoch ?? <span class="quiet">–</span>],
        ['Not finished', unfinished === null ? <Unknown reason={null} /> : count(unfinished)],
        ['Lag', lag === null ? <Unknown reason={reason} /> : lag < 1 ? 'below 1 s' : span(lag * 1000)],
      ]}
    />
  );
}

function Watching({ store: { watcher } }: { store: StoreAnswer }): JSX.Element {
  return (
    <Section
      id="watching"
      title="Watcher of Kong"
      facts={[
        [
          'State',
          <Badge tone={watcher.watching ? 'good' : 'plain'}>
            {watcher.watching ? 'watches' : 'does not watch'}
          </Badge>,
        ],
        [
          'Kong',
          watcher.kong === null ? (
            <span class="quiet">none</span>
          ) : (
            <span class="mono">{visible(watcher.kong)}</span>
          ),
        ],
        ...(watcher.reason === null ? [] : [['Why', visible(watcher.reason)] as const]),
      ]}
    />
  );
}

const Unknown = ({ reason }: { reason: string | null }): JSX.Element => (
  <span class="quiet">{reason === null ? 'not known' : `not known: ${visible(reason)}`}</span>
);
