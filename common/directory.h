/* Folders that are made where they are needed. */
#ifndef ORDEM_DIRECTORY_H
#define ORDEM_DIRECTORY_H

#include "common/error.h"

/* Makes the folder and those above it; one that is there already is fine. ERROR_FILE, naming the folder. */
int directory_make(const char *path, struct error *error);

#endif
