/* Everything is hidden (-fvisibility=hidden) but what a driver library really exports. */
#ifndef EXPORT_H
#define EXPORT_H

#define EXPORT __attribute__((visibility("default")))

#endif
