import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { readDocument, replaceHook } from '../../api/drafts.ts';
import { createHook, listSources, readHook } from '../../api/hooks.ts';
import { useResource } from '../../api/resource.ts';
import { recentEvents } from '../../api/samples.ts';
import { mayWrite } from '../../api/session.ts';
import type { Sources } from '../../api/types.ts';
import { draftOf, emptyDraft, textOf } from '../../model/draft.ts';
import type { Draft } from '../../model/draft.ts';
import { pathsOf } from '../../model/filter-rows.ts';
import { handlersOf } from '../../model/handler-schema.ts';
import type { HandlerSpec } from '../../model/handler-schema.ts';
import { subject } from '../../model/hook-text.ts';
import { go, href, place } from '../../router.ts';
import { Page } from '../../shell/page.tsx';
import { visible } from '../../text/visible.ts';
import { announce } from '../../ui/announce.tsx';
import { Loading } from '../../ui/loading.tsx';
import { useAction } from '../../ui/use-action.tsx';
import { FilterBuilder } from './filter-builder.tsx';
import { Handler, Limits, startOf } from './handler.tsx';
import { Trigger } from './trigger.tsx';
import { TryPanel } from './try-panel.tsx';
import { useForm } from './use-form.ts';

interface Ground {
  readonly first: Draft;
  readonly sources: Sources;
  readonly handlers: readonly HandlerSpec[];
}

/** A new hook, or one that is changed. */
export default function EditPage({ id }: { id: string | null }): JSX.Element {
  const ground = useResource(`edit ${id ?? ''}`, async (signal): Promise<Ground> => {
    const [sources, document, hook] = await Promise.all([
      listSources(signal),
      readDocument(signal),
      id === null ? null : readHook(id, signal),
    ]);
    const handlers = handlersOf(document);
    return { sources, handlers, first: hook === null ? newDraft(handlers) : draftOf(hook) };
  });
  const back = id === null ? href(['hooks']) : href(['hooks', id]);
  return (
    <Page
      title={id === null ? 'New hook' : 'Edit the hook'}
      above={
        <p class="small">
          <a href={back}>{id === null ? 'All hooks' : 'Back to the hook'}</a>
        </p>
      }
    >
      {mayWrite.value ? (
        <Loading from={ground} what="what can be hooked">
          {(value) => <HookForm id={id} {...value} />}
        </Loading>
      ) : (
        <p>You may read only.</p>
      )}
    </Page>
  );
}

function newDraft(handlers: readonly HandlerSpec[]): Draft {
  const name = handlers[0]?.name ?? 'webhook';
  const { query } = place.peek();
  const [source, event] = [query.get('source') ?? '', query.get('event')];
  return { ...emptyDraft(name), source, event, config: startOf(handlers, name) };
}

function HookForm({ id, first, sources, handlers }: Ground & { id: string | null }): JSX.Element {
  const form = useForm(first, id);
  const element = useRef<HTMLFormElement>(null);
  const action = useAction();
  const { draft } = form;
  const source = textOf(draft, 'source');
  const event = textOf(draft, 'event') === '' ? null : textOf(draft, 'event');
  const recent = useResource(`events ${JSON.stringify([source, event])}`, async (signal) =>
    source === '' ? { data: [], reason: 'choose a source first' } : await recentEvents(source, event, signal),
  );
  const events = recent.now.value?.data ?? [];
  const submit = (submitted: Event): void => {
    submitted.preventDefault();
    action.run(async () => {
      await form.insist();
      const hook = id === null ? await createHook(draft) : await replaceHook(id, draft);
      announce(`${subject(hook)} is saved.`);
      go(['hooks', hook.id]);
    });
  };
  useEffect(() => {
    // The first field that is wrong is the next thing to do.
    if (action.problem !== null)
      element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [action.problem]);
  const reason = recent.now.state === 'failed' ? recent.now.reason : (recent.now.value?.reason ?? null);
  return (
    <form ref={element} class="columns wide-first" noValidate onSubmit={submit}>
      <div class="stack">
        <Trigger form={form} sources={sources} />
        <FilterBuilder form={form} paths={[...new Set(events.flatMap(({ payload }) => pathsOf(payload)))]} />
        <Handler form={form} handlers={handlers} />
        <Limits form={form} />
        {action.problem === null ? null : (
          <div class="notice bad" role="alert">
            <p>It is not saved: {visible(action.problem)}</p>
          </div>
        )}
        <div class="row">
          <button type="submit" class="button main" disabled={action.busy}>
            {id === null ? 'Make the hook' : 'Save the changes'}
          </button>
          <a class="button" href={id === null ? href(['hooks']) : href(['hooks', id])}>
            Cancel
          </a>
        </div>
      </div>
      <TryPanel draft={draft} sound={source === '' ? null : form.sound} events={events} reason={reason} />
    </form>
  );
}
