#include "common/directory.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int make_one(const char *path, const char *setting, struct error *error)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        error_set(error, ERROR_FILE, "the folder %.200s cannot be made (choose another with %s)", path,
                  setting);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    return 0;
}

int directory_make(const char *path, const char *setting, struct error *error)
{
    char part[PATH_MAX];
    int code = 0;

    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        error_set(error, ERROR_FILE, "%.60s…", path);
        error_because_errno(error, ENAMETOOLONG);
        return ERROR_FILE;
    }
    for (char *slash = strchr(part + (*part == '/'), '/'); code == 0 && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_one(part, setting, error);
        *slash = '/';
    }
    return code == 0 ? make_one(part, setting, error) : code;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

int directory_remove(const char *path, struct error *error)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        error_set(error, ERROR_FILE, "%.200s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    return 0;
}
