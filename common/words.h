/* What programs print, in the user's language (LANG), through gettext: English in the sources, Brazilian Portuguese in
 * po/pt_BR.po. Data are not translated: log lines, what is on the wire, the names of fields and settings are the same
 * everywhere, so that programs can read them.
 *
 * Functions that look the translation of what they are given up themselves need no mark: tools/words names them,
 * error_set (common/error.h) first. `make words` brings po/pt_BR.po up to date with the sources. */
#ifndef ORDEM_WORDS_H
#define ORDEM_WORDS_H

#include <libintl.h>

/* A text to print, translated; N_ marks one in a table, to be translated by _() where it is printed. */
#define _(text)  gettext(text)
#define N_(text) (text)

/* Chooses the language, once, first of all in main(): Portuguese where LANGUAGE, LC_ALL, LC_MESSAGES or LANG, by
 * gettext's precedence, asks for any Portuguese, else English. Characters are UTF-8 and numbers are written as in C
 * whatever the locale says. A program that does not call this speaks English. */
void words_open(void);

#endif
