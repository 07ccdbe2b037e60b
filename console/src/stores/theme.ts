/** Light or dark: as the system has it, until somebody chooses. */
import { ref, watchEffect } from 'vue'

type Theme = 'light' | 'dark'

const KEPT_AS = 'tuan.theme'
const ofSystem = window.matchMedia('(prefers-color-scheme: dark)')

export const theme = ref<Theme>((localStorage.getItem(KEPT_AS) as Theme | null) ?? systemTheme())

export function switchTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark'
  localStorage.setItem(KEPT_AS, theme.value)
}

watchEffect(() => document.documentElement.classList.toggle('dark', theme.value === 'dark'))
ofSystem.addEventListener('change', () => {
  if (!localStorage.getItem(KEPT_AS)) theme.value = systemTheme()
})

function systemTheme(): Theme {
  return ofSystem.matches ? 'dark' : 'light'
}
