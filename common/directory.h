/* Folders: made with those above them, removed with all that is in them. */
#ifndef ORDEM_DIRECTORY_H
#define ORDEM_DIRECTORY_H

#include "common/error.h"

/* Makes the folder and those above it, as the umask allows; one that is there already is fine. ERROR_FILE, naming the
 * folder and `setting`, by which its user chose it. */
int directory_make(const char *path, const char *setting, struct error *error);

/* Removes the folder and all that is in it; there need not be one. ERROR_FILE. */
int directory_remove(const char *path, struct error *error);

#endif
