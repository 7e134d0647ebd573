#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return microseconds(CLOCK_MONOTONIC);
}

uint64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

uint64_t clock_boottime_ms(void)
{
    return microseconds(CLOCK_BOOTTIME) / 1000;
}

static void write_digits(char *out, int64_t number, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

void clock_format(int64_t wall_us, char out[CLOCK_TEXT_LENGTH + 1])
{
    /* gmtime_r costs more than all the rest; most lines of a log fall into the second of the line before. */
    static _Thread_local int64_t known_second = 0;
    static _Thread_local char known_text[] = "1970-01-01T00:00:00.000000Z";
    int64_t micro = wall_us % 1000000;
    int64_t second = wall_us / 1000000;

    if (micro < 0) { /* before 1970 the fraction still counts forward */
        micro += 1000000;
        second--;
    }
    if (second != known_second) {
        time_t whole = (time_t)second;
        struct tm tm;
        gmtime_r(&whole, &tm);
        write_digits(known_text, tm.tm_year + 1900, 4);
        write_digits(known_text + 5, tm.tm_mon + 1, 2);
        write_digits(known_text + 8, tm.tm_mday, 2);
        write_digits(known_text + 11, tm.tm_hour, 2);
        write_digits(known_text + 14, tm.tm_min, 2);
        write_digits(known_text + 17, tm.tm_sec, 2);
        known_second = second;
    }
    memcpy(out, known_text, sizeof known_text);
    write_digits(out + 20, micro, 6);
}

void clock_format_epoch(int64_t wall_us, char out[CLOCK_EPOCH_LENGTH + 1])
{
    snprintf(out, CLOCK_EPOCH_LENGTH + 1, "%" PRId64 ".%06d", wall_us / 1000000, (int)(wall_us % 1000000));
}

static bool read_digits(const char *digits, int count, int64_t *number)
{
    *number = 0;
    for (int i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        *number = *number * 10 + (digits[i] - '0');
    }
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible date algorithms"). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    return month == 12 ? 31 : days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1);
}

bool clock_parse(struct text text, int64_t *wall_us)
{
    const char *s = text.bytes;
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t micro;

    if (text.length != CLOCK_TEXT_LENGTH || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' ||
        s[16] != ':' || s[19] != '.' || s[26] != 'Z' || !read_digits(s, 4, &year) ||
        !read_digits(s + 5, 2, &month) || !read_digits(s + 8, 2, &day) || !read_digits(s + 11, 2, &hour) ||
        !read_digits(s + 14, 2, &minute) || !read_digits(s + 17, 2, &second) ||
        !read_digits(s + 20, 6, &micro) || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *wall_us =
        (((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + micro;
    return true;
}
