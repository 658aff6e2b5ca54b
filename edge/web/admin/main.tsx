/** The operator's page. */
import '../style/base.css';

document.title = 'Edgewise';
