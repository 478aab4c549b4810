// Pictures, painted by the browser.

/** A landscape, in this format. */
export async function landscape(page, type = 'image/png') {
  return toBuffer(await page.evaluate((type) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
    const paint = canvas.getContext('2d');
    const sky = paint.createLinearGradient(0, 0, 0, 180);
    sky.addColorStop(0, '#2b6cb0');
    sky.addColorStop(1, '#fbd38d');
    paint.fillStyle = sky;
    paint.fillRect(0, 0, 320, 180);
    paint.fillStyle = '#f6ad55';
    paint.arc(240, 120, 26, 0, 7);
    paint.fill();
    paint.fillStyle = '#22543d';
    for (const [x, height] of [[0, 60], [80, 95], [170, 50]]) {
      paint.beginPath();
      paint.moveTo(x - 60, 180);
      paint.lineTo(x + 50, 180 - height);
      paint.lineTo(x + 160, 180);
      paint.fill();
    }
    return canvas.toDataURL(type);
  }, type));
}

/** Noise, which PNG cannot compress. */
export async function noise(page, width, height) {
  return toBuffer(await page.evaluate(([width, height]) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const pixels = new ImageData(width, height);
    for (let at = 0; at < pixels.data.length; at += 1) pixels.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    return canvas.toDataURL('image/png');
  }, [width, height]));
}

/** A GIF of one pixel. */
export const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

function toBuffer(url) {
  return Buffer.from(url.split(',')[1], 'base64');
}
