import { render } from 'preact';
import { App } from './app.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/table.css';
import './styles/dialog.css';
import './styles/chart.css';
import './styles/screens.css';

const root = document.getElementById('app');
if (root !== null) {
  // The line that stands there until now is not Preact's to take away.
  root.replaceChildren();
  render(<App />, root);
}
