#include "common/words.h"

#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN    "ordem"
#define LANGUAGE  "pt_BR"
#define INSTALLED "/usr/local/share/locale"

/* "pt", "pt_BR", "pt_BR.UTF-8" and "pt@x" are Portuguese, "ptx" is not. */
static bool is_language(const char *name, const char *language)
{
    size_t length = strlen(language);
    return strncmp(name, language, length) == 0 && strchr("_.@:", name[length]) != NULL;
}

static const char *find_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *locale = getenv(variables[i]);
        if (locale != NULL && locale[0] != '\0') {
            return locale;
        }
    }
    return "C";
}

/* LANGUAGE is a list, best first; in the locale C, gettext does not ask it. */
static bool wants_portuguese(void)
{
    const char *locale = find_locale();
    const char *languages = getenv("LANGUAGE");

    if (is_language(locale, "C") || is_language(locale, "POSIX")) {
        return false;
    }
    while (languages != NULL && *languages != '\0') {
        if (is_language(languages, "pt")) {
            return true;
        }
        if (is_language(languages, "en")) {
            return false;
        }
        const char *colon = strchr(languages, ':');
        languages = colon != NULL ? colon + 1 : NULL;
    }
    return is_language(locale, "pt");
}

/* The catalogue is in the folder `locale` beside the program where it was built, or where it was installed. */
static void bind_catalogue(void)
{
    char path[PATH_MAX];
    char file[PATH_MAX + sizeof "/" LANGUAGE "/LC_MESSAGES/" DOMAIN ".mo"];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "/locale");
    bool found = false;

    if (length > 0) {
        path[length] = '\0';
        char *slash = strrchr(path, '/');
        memcpy(slash != NULL ? slash : path, "/locale", sizeof "/locale");
        snprintf(file, sizeof file, "%s/" LANGUAGE "/LC_MESSAGES/" DOMAIN ".mo", path);
        found = access(file, R_OK) == 0;
    }
    bindtextdomain(DOMAIN, found ? path : INSTALLED);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}

/* Containers and many machines have no Portuguese locale, only C.UTF-8. With LANGUAGE, gettext translates in any
 * locale but C, and since glibc 2.40 in none whose name starts with "C." either. C_BR.UTF-8 is C.UTF-8 under another
 * name: where there is no locale for a territory, glibc takes that of the language, here of "C". */
void words_open(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    if (!wants_portuguese()) {
        return;
    }
    if ((setlocale(LC_MESSAGES, LANGUAGE ".UTF-8") != NULL || setlocale(LC_MESSAGES, "C_BR.UTF-8") != NULL) &&
        setenv("LANGUAGE", LANGUAGE, 1) == 0) {
        bind_catalogue();
    }
}
