/** Systems that a metallib is made for: the SDK of each, and the oldest version that has what our kernels use. */
import { UsageError } from '../errors.ts';

export const platformNames = ['macos', 'ios', 'ios-simulator', 'tvos', 'visionos'] as const;
export type PlatformName = (typeof platformNames)[number];

export interface Platform {
  readonly name: PlatformName;
  /** For people. */
  readonly title: string;
  readonly sdk: string;
  /** Where metal3.1 begins. */
  readonly oldest: string;
  /** The flags that set the oldest system which runs the library. */
  readonly deployment: (version: string) => readonly string[];
  /** The name that metal-shaderconverter has for it; undefined when it has none that is known. */
  readonly converterName: string | undefined;
}

const platforms: Readonly<Record<PlatformName, Omit<Platform, 'name'>>> = {
  macos: {
    title: 'macOS',
    sdk: 'macosx',
    oldest: '14.0',
    deployment: (version) => [`-mmacosx-version-min=${version}`],
    converterName: 'macOS',
  },
  ios: {
    title: 'iOS',
    sdk: 'iphoneos',
    oldest: '17.0',
    deployment: (version) => ['-target', `air64-apple-ios${version}`],
    converterName: 'iOS',
  },
  'ios-simulator': {
    title: 'the iOS simulator',
    sdk: 'iphonesimulator',
    oldest: '17.0',
    deployment: (version) => ['-target', `air64-apple-ios${version}-simulator`],
    converterName: undefined,
  },
  tvos: {
    title: 'tvOS',
    sdk: 'appletvos',
    oldest: '17.0',
    deployment: (version) => ['-target', `air64-apple-tvos${version}`],
    converterName: undefined,
  },
  visionos: {
    title: 'visionOS',
    sdk: 'xros',
    oldest: '1.0',
    deployment: (version) => ['-target', `air64-apple-xros${version}`],
    converterName: undefined,
  },
};

/** The language version of emitted kernels. */
export const languageVersion = 'metal3.1';

export interface Deployment {
  readonly platform: Platform;
  /** `14.0` */
  readonly minOs: string;
}

/** What `--platform` and `--min-os` say. UsageError when no kernel of ours runs there. */
export function deploymentOf(name: PlatformName = 'macos', minOs?: string): Deployment {
  const platform: Platform = { name, ...platforms[name] };
  const version = minOs ?? platform.oldest;
  if (!/^\d{1,3}(?:\.\d{1,3}){0,2}$/.test(version)) {
    throw new UsageError(`--min-os ${version}: expected a version such as ${platform.oldest}`);
  }
  if (compareVersions(version, platform.oldest) < 0) {
    throw new UsageError(
      `--min-os ${version}: kernels need ${platform.title} ${platform.oldest}`,
      `they are written in ${languageVersion}, which begins there`,
    );
  }
  return { platform, minOs: version.includes('.') ? version : `${version}.0` };
}

export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
