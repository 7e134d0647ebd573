/* What programs print, in the user's language (LANG), through gettext: English in the sources, Brazilian Portuguese in
 * po/pt_BR.po. Log lines are data and are not translated: their keys and events are the same everywhere. */
#ifndef ORDEM_WORDS_H
#define ORDEM_WORDS_H

#include <libintl.h>

/* A text to print, translated; N_ marks one in a table, to be translated by _() where it is printed. */
#define _(text)  gettext(text)
#define N_(text) (text)

#endif
