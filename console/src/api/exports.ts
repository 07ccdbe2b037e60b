import { get, post } from './client'
import type { BodyOf, QueryOf, Schema } from './types'

export type ExportForm = Schema<'ExportForm'>
export type ExportPreset = Schema<'ExportPreset'>
export type ExportWanted = BodyOf<'post', '/v1/merchant/exports'>
export type ExportShown = Schema<'ExportShown'>
export type Subject = Schema<'Subject'>

export const readExportForm = () => get('/v1/merchant/exports/form')
export const askForExport = (body: ExportWanted, key: string) => post('/v1/merchant/exports', { body, key })
export const listExports = (query: QueryOf<'/v1/merchant/exports'>) => get('/v1/merchant/exports', { query })
/** An address that saves the file; it is logged, and good for some minutes. */
export const linkExport = async (export_id: string) => (await post('/v1/merchant/exports/{export_id}/link', { path: { export_id } })).url
