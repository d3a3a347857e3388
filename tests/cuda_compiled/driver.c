/* A driver without a GPU, for tests: memory is that of the host, and launches are handed to a hook.
   It answers the calls that Genesis and Numba make, so that the bindings, the types of all arguments and the order of
   calls are as they would be. Contexts and streams are numbers; a call that needs one and has none fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t Address;
typedef void *Handle;
enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, INVALID_HANDLE = 400 };
enum { WARP_SIZE = 10, PROCESSORS = 16, MAJOR = 75 };
static __thread Handle current;

int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, "no GPU", size); return 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) { memset(uuid, device + 1, 16); return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == MAJOR ? 9 : attribute == PROCESSORS ? 132 : attribute == WARP_SIZE ? 32 : 0;
    return 0;
}

int cuDevicePrimaryCtxRetain(Handle *context, int device) { *context = (Handle)(intptr_t)(device + 100); return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuCtxSetCurrent(Handle context) { current = context; return 0; }
int cuCtxGetCurrent(Handle *context) { *context = current; return 0; }
int cuCtxPushCurrent_v2(Handle context) { current = context; return 0; }
int cuCtxPopCurrent_v2(Handle *context) { *context = current; current = 0; return 0; }
int cuCtxGetDevice(int *device) { *device = (int)(intptr_t)current - 100; return current ? 0 : INVALID_CONTEXT; }

int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = 1ul << 30; *total = 1ul << 31; return 0; }
int cuMemAlloc_v2(Address *address, size_t size) {
    if (!current) return INVALID_CONTEXT;
    if (size > 1ul << 30) return OUT_OF_MEMORY;
    *address = (Address)aligned_alloc(512, (size + 511) / 512 * 512);
    return 0;
}
int cuMemFree_v2(Address address) { free((void *)address); return 0; }
int cuMemAllocHost_v2(void **memory, size_t size) { *memory = malloc(size); return 0; }
int cuMemFreeHost(void *memory) { free(memory); return 0; }

static int copy(void *to, const void *from, size_t size, Handle stream) {
    if (!stream) return INVALID_HANDLE;
    memcpy(to, from, size);
    return 0;
}
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t size, Handle stream) {
    return copy((void *)to, from, size, stream);
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t size, Handle stream) {
    return copy(to, (void *)from, size, stream);
}
int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t size, Handle stream) {
    return copy((void *)to, (void *)from, size, stream);
}
int cuMemcpyPeerAsync(Address to, Handle there, Address from, Handle here, size_t size, Handle stream) {
    return there && here ? copy((void *)to, (void *)from, size, stream) : INVALID_CONTEXT;
}

int cuStreamCreate(Handle *stream, unsigned flags) {
    static intptr_t made = 0x1000;
    *stream = (Handle)++made;
    return 0;
}
int cuStreamCreateWithPriority(Handle *stream, unsigned flags, int priority) {
    return priority <= 0 ? cuStreamCreate(stream, flags) : INVALID_VALUE;
}
int cuStreamQuery(Handle stream) { return stream ? 0 : INVALID_HANDLE; }
int cuCtxSynchronize(void) { return current ? 0 : INVALID_CONTEXT; }
int cuStreamSynchronize(Handle stream) { return stream ? 0 : INVALID_HANDLE; }
int cuStreamWaitEvent(Handle stream, Handle event, unsigned flags) { return stream && event ? 0 : INVALID_HANDLE; }
int cuEventCreate(Handle *event, unsigned flags) { *event = (Handle)0x77; return 0; }
int cuEventRecord(Handle event, Handle stream) { return event && stream ? 0 : INVALID_HANDLE; }
int cuEventSynchronize(Handle event) { return event ? 0 : INVALID_HANDLE; }
int cuEventQuery(Handle event) { return event ? 0 : INVALID_HANDLE; }
int cuEventDestroy_v2(Handle event) { return 0; }
int cuEventElapsedTime_v2(float *ms, Handle start, Handle end) { *ms = 1.5f; return 0; }

int cuModuleLoadData(Handle *module, const void *image) {
    *module = (Handle)image;
    return memcmp(image, "\x7f" "ELF", 4) ? INVALID_IMAGE : 0;
}
int cuModuleGetFunction(Handle *function, Handle module, const char *name) { *function = strdup(name); return 0; }

typedef void (*Hook)(const char *name, unsigned *sizes, void **parameters);
static Hook hook;
void set_hook(Hook wanted) { hook = wanted; }
int cuLaunchKernel(Handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, Handle stream, void **parameters, void **extra) {
    unsigned sizes[] = {gx, gy, gz, bx, by, bz, shared};
    if (!stream) return INVALID_HANDLE;
    if (extra || !gx || !gy || !gz || bx * by * bz > 1024) return INVALID_VALUE;
    if (hook) hook(function, sizes, parameters);
    return 0;
}

int cuGetErrorName(int error, const char **name) { *name = "CUDA_ERROR_OF_A_TEST"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "an error of a test"; return 0; }
int cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags, int *status) {
    char second[256];
    Handle self = dlopen("libcuda.so.1", RTLD_NOW);
    snprintf(second, sizeof second, "%s_v2", name);
    *function = dlsym(self, second);
    if (!*function) *function = dlsym(self, name);
    if (status) *status = *function ? 0 : 1;
    return *function ? 0 : 500;
}
int cuGetProcAddress(const char *name, void **function, int version, uint64_t flags) {
    return cuGetProcAddress_v2(name, function, version, flags, 0);
}
