/* Folders for logs. */
#ifndef ORDEM_FOLDER_H
#define ORDEM_FOLDER_H

#include "common/error.h"

/* Makes the folder and those above it, as far as they are not there. ERROR_FILE. */
int folder_make(const char *path, struct error *error);

/* Removes the folder and all that is in it; there need not be one. ERROR_FILE. */
int folder_remove(const char *path, struct error *error);

#endif
