/* Colour and size of pictures on a GPU: one thread makes two by two pixels of 4:2:0, or one packed pixel.
 *
 * Written in what C and CUDA C++ have in common, so that the arithmetic is tested on a processor, too.
 *
 * A pixel of the output is the mean of the source over the square that it covers there; where that is smaller than a
 * pixel of the source, over a square of one pixel's size around the same middle. That is a box filter for pictures that
 * shrink, bilinear interpolation for those that grow, and the pixel itself where the size stays. */

#ifdef __CUDACC_RTC__
#define KERNEL extern "C" __global__ void
#define INLINE __device__ __forceinline__
#endif

typedef unsigned char byte;

/* A plane of `width` by `height` samples; `step` bytes from one to the next, `pitch` from row to row. */
typedef struct {
    const byte *first;
    int pitch, step, width, height;
} plane;

/* At which offsets within a pixel three channels lie. */
typedef struct {
    int first, second, third;
} channels;

typedef struct {
    float first, second, third;
} triple;

INLINE float least(float a, float b) { return a < b ? a : b; }

INLINE float most(float a, float b) { return a > b ? a : b; }

INLINE byte rounded(float value) { return (byte)least(most(value + 0.5f, 0.0f), 255.0f); }

/* Return the mean of three channels around the middle of output pixel (`column`, `row`). */
INLINE triple mean(plane source, channels offsets, float column, float row, float scale_x, float scale_y)
{
    float half_width = most(scale_x, 1.0f) / 2, half_height = most(scale_y, 1.0f) / 2;
    float left = (column + 0.5f) * scale_x - half_width, right = left + 2 * half_width;
    float top = (row + 0.5f) * scale_y - half_height, bottom = top + 2 * half_height;
    triple sum = { 0, 0, 0 };
    float weights = 0;
    for (int y = (int)most(top, 0.0f); y < bottom && y < source.height; y++) {
        float height = least(bottom, y + 1.0f) - most(top, (float)y);
        for (int x = (int)most(left, 0.0f); x < right && x < source.width; x++) {
            float weight = height * (least(right, x + 1.0f) - most(left, (float)x));
            const byte *pixel = source.first + (long long)y * source.pitch + x * source.step;
            sum.first += weight * pixel[offsets.first];
            sum.second += weight * pixel[offsets.second];
            sum.third += weight * pixel[offsets.third];
            weights += weight;
        }
    }
    sum.first /= weights;
    sum.second /= weights;
    sum.third /= weights;
    return sum;
}

/* Y, U and V of BT.601 in limited range: H.273, equations 38 to 40 and clause 8.3. */
INLINE float luma_of(triple rgb)
{
    return 16 + 219 / 255.0f * (0.299f * rgb.first + 0.587f * rgb.second + 0.114f * rgb.third);
}

INLINE float blue_difference_of(triple rgb)
{
    return 128 + 224 / 255.0f / 1.772f * (-0.299f * rgb.first - 0.587f * rgb.second + 0.886f * rgb.third);
}

INLINE float red_difference_of(triple rgb)
{
    return 128 + 224 / 255.0f / 1.402f * (0.701f * rgb.first - 0.587f * rgb.second - 0.114f * rgb.third);
}

/* Packed pixels into 4:2:0. Chroma samples are `chroma_step` bytes apart: 2 where U and V alternate, 1 where not. */
KERNEL rgb_to_yuv(const byte *source, int source_pitch, int source_step, int source_width, int source_height, int red,
                  int green, int blue, byte *luma, byte *u, byte *v, int luma_pitch, int chroma_pitch, int chroma_step,
                  int width, int height)
{
    int column = 2 * (blockIdx.x * blockDim.x + threadIdx.x), row = 2 * (blockIdx.y * blockDim.y + threadIdx.y);
    if (column >= width || row >= height)
        return;
    plane pixels = { source, source_pitch, source_step, source_width, source_height };
    channels offsets = { red, green, blue };
    float scale_x = (float)source_width / width, scale_y = (float)source_height / height;
    triple sum = { 0, 0, 0 };
    for (int y = row; y < row + 2; y++)
        for (int x = column; x < column + 2; x++) {
            triple rgb = mean(pixels, offsets, x, y, scale_x, scale_y);
            luma[(long long)y * luma_pitch + x] = rounded(luma_of(rgb));
            sum.first += rgb.first / 4;
            sum.second += rgb.second / 4;
            sum.third += rgb.third / 4;
        }
    long long place = (long long)(row / 2) * chroma_pitch + column / 2 * chroma_step;
    u[place] = rounded(blue_difference_of(sum));
    v[place] = rounded(red_difference_of(sum));
}

/* Packed pixels into packed pixels of four bytes: three channels of the source in this order, and 255. */
KERNEL rgb_to_rgb(const byte *source, int source_pitch, int source_step, int source_width, int source_height, int first,
                  int second, int third, byte *target, int target_pitch, int width, int height)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    plane pixels = { source, source_pitch, source_step, source_width, source_height };
    channels offsets = { first, second, third };
    triple rgb = mean(pixels, offsets, column, row, (float)source_width / width, (float)source_height / height);
    byte *pixel = target + (long long)row * target_pitch + 4 * column;
    pixel[0] = rounded(rgb.first);
    pixel[1] = rounded(rgb.second);
    pixel[2] = rounded(rgb.third);
    pixel[3] = 255;
}

/* One plane of samples, `source_step` bytes apart, into another. */
KERNEL scale_plane(const byte *source, int source_pitch, int source_step, int source_width, int source_height,
                   byte *target, int target_pitch, int target_step, int width, int height)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    plane samples = { source, source_pitch, source_step, source_width, source_height };
    channels same = { 0, 0, 0 };
    triple value = mean(samples, same, column, row, (float)source_width / width, (float)source_height / height);
    target[(long long)row * target_pitch + column * target_step] = rounded(value.first);
}
