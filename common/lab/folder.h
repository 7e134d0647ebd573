/* Folders for logs. */
#ifndef ORDEM_FOLDER_H
#define ORDEM_FOLDER_H

#include "common/error.h"

/* Makes the folder and those above it, as far as they are not there. ERROR_FILE. */
int folder_make(const char *path, struct error *error);

#endif
