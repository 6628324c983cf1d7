import type { ComponentType, JSX } from 'preact';
import { own } from '../model/own.ts';
import { lazily } from '../shell/lazily.tsx';
import { place } from '../router.ts';
import { Page } from '../shell/page.tsx';
import { Hooks } from './hooks/hooks.tsx';

const HookPage = lazily(() => import('./hook/hook-page.tsx'));
const EditPage = lazily(() => import('./edit/edit-page.tsx'));
const DeliveryPage = lazily(() => import('./delivery/delivery-page.tsx'));

/** The screen of an address; what only some readers want is loaded when it is wanted. */
export function Screen(): JSX.Element {
  const [section = 'hooks', id, sub] = place.value.path;
  if (section === 'hooks') {
    if (id === undefined) return <Hooks />;
    if (sub === undefined) return <HookPage id={id} />;
    if (sub === 'edit') return <EditPage id={id} />;
  }
  if (section === 'deliveries' && id !== undefined) return <DeliveryPage id={id} />;
  const Simple = own(simple, section);
  return Simple === undefined || id !== undefined ? <NotThere /> : <Simple />;
}

const simple: Readonly<Record<string, ComponentType>> = {
  new: () => <EditPage id={null} />,
  'dead-letters': lazily(() => import('./dead-letters/dead-letters.tsx')),
  live: lazily(() => import('./live/live.tsx')),
  receiver: lazily(() => import('./receiver/receiver.tsx')),
  plugins: lazily(() => import('./plugins/plugins.tsx')),
  store: lazily(() => import('./store/store.tsx')),
};

const NotThere = (): JSX.Element => (
  <Page title="There is no such screen">
    <p>
      The address names nothing here. <a href="#/hooks">All hooks</a> is a good place to go on from.
    </p>
  </Page>
);
