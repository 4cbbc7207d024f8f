/** What to do without a tool: how to get it where that is possible, and what works all the same. */
import { MlxcError } from '../../../runtime/errors.ts';

const metalStaysSource =
  'without it everything works from source: the bundle carries kernels.metal, and the device compiles it when it loads';

/** `xcode`: Xcode itself; `toolchain`: the part that Xcode 26 and newer download. */
export function missingMetal(
  platform: NodeJS.Platform,
  part: 'xcode' | 'toolchain' = 'xcode',
): MlxcError {
  const message = 'the Metal compiler is not installed (xcrun metal)';
  if (platform === 'darwin') {
    const cure =
      part === 'toolchain'
        ? 'since Xcode 26 it is a download of its own: `xcodebuild -downloadComponent MetalToolchain` (about 0.7 GB; it is there some seconds after the download ends)'
        : 'install Xcode (the Command Line Tools alone do not have it), then `sudo xcode-select -s /Applications/Xcode.app`';
    return new MlxcError('MLX5201', message, `${cure}; ${metalStaysSource}`);
  }
  const where =
    platform === 'win32'
      ? 'get the Metal Developer Tools for Windows from developer.apple.com'
      : 'Apple builds it for macOS and Windows, not for Linux: make the metallib there';
  return new MlxcError('MLX5201', message, `${where}; ${metalStaysSource}`);
}

const bodyRuns = 'without it the function runs its body on Metal, and everything else works';

export function missingConverter(platform: NodeJS.Platform): MlxcError {
  const cure =
    platform === 'darwin' || platform === 'win32'
      ? 'download Metal shader converter from https://developer.apple.com/metal/shader-converter, or set METAL_SHADERCONVERTER to its path'
      : 'Apple builds it for macOS and Windows, not for Linux: build the bundle there';
  return new MlxcError(
    'MLX5201',
    'metal-shaderconverter is not installed: it turns DXIL into a Metal library',
    `${cure}; ${bodyRuns}`,
  );
}

export function missingDxc(): MlxcError {
  return new MlxcError(
    'MLX5201',
    'dxc is not installed: it compiles HLSL to DXIL',
    `its releases are at https://github.com/microsoft/DirectXShaderCompiler/releases (Linux, Windows); unpack one and put dxc on the PATH, or set DXC to its path; ${bodyRuns}`,
  );
}
