#include "common/lab/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int make_one(const char *path, struct error *error)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return error_set(error, ERROR_FILE, "%.200s: %s (choose another folder with --out)", path,
                         strerror(errno));
    }
    return 0;
}

int folder_make(const char *path, struct error *error)
{
    char part[4000];

    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (make_one(part, error) != 0) {
            return error->code;
        }
        *slash = '/';
    }
    return make_one(part, error);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

int folder_remove(const char *path, struct error *error)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        return error_set(error, ERROR_FILE, "%.200s: %s", path, strerror(errno));
    }
    return 0;
}
