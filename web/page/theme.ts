// Light and dark: as the system has it, until the button says otherwise, which the browser then remembers.

const KEY = 'unetc theme';

export function createTheme(toggle: HTMLElement): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const show = () => {
    toggle.textContent = isDark() ? 'Light' : 'Dark';
    toggle.setAttribute('aria-label', isDark() ? 'Show the page light' : 'Show the page dark');
  };
  const kept = remembered();
  if (kept !== null) root.dataset.theme = kept;
  show();
  system.addEventListener('change', show);
  toggle.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remember(root.dataset.theme);
    show();
  });
}

/** Storage may be switched off, and is then no use. */
function remembered(): 'light' | 'dark' | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : null;
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // the page is as it was set until it is closed
  }
}
