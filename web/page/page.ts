// The page begins: its colours, what keeps it from drawing, and the model that it is of.

import { PAGE_MODEL, type PageModel } from '../page-model.ts';
import { byId } from './elements.ts';
import { startPage } from './start-page.ts';
import { createStatus } from './status.ts';
import { createTheme } from './theme.ts';
import { obstacle, troubleOf, WITHOUT_ADAPTER } from './words.ts';

createTheme(byId('theme'));
const status = createStatus((action) => {
  if (action === 'reload') location.reload();
  else byId<HTMLFormElement>('form').requestSubmit();
});
const here = {
  protocol: location.protocol,
  isSecure: isSecureContext,
  hasGpu: (navigator as { readonly gpu?: GPU }).gpu !== undefined,
};
const hindered = obstacle(here);
if (hindered !== null) status.fail(hindered);
else
  void navigator.gpu.requestAdapter().then(
    (adapter) => adapter === null && status.fail(WITHOUT_ADAPTER),
    (error: unknown) => status.fail({ ...WITHOUT_ADAPTER, detail: String(error) }),
  );
// without a server there is no model to speak of
if (here.protocol !== 'file:')
  void loadModel()
    .then((model) => model !== null && startPage(model, status, hindered === null))
    .catch((error: unknown) => {
      const message = `${PAGE_MODEL} is none that this page can read (${String(error)})`;
      status.fail(troubleOf({ kind: 'bundle', message }));
    });

async function loadModel(): Promise<PageModel | null> {
  const label = new URL(PAGE_MODEL, location.href).href;
  try {
    const response = await fetch(label, { cache: 'no-cache' });
    if (!response.ok) throw new Error(`the server says ${response.status} ${response.statusText}`.trim());
    const model: PageModel = await response.json();
    if (model.format !== 'unetc-page' || model.version !== 1)
      throw new Error('it is of another version of this page');
    return model;
  } catch (error) {
    status.fail(
      troubleOf({ kind: 'bundle', message: `${label}: ${error instanceof Error ? error.message : error}` }),
    );
    return null;
  }
}
