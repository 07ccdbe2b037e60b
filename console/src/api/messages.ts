import { get, put } from './client'
import type { BodyOf, Schema } from './types'

export type MessageTemplate = Schema<'MessageTemplate'>
export type SubscribeTemplate = Schema<'SubscribeTemplateShown'>
export type MessageTemplates = Schema<'MessageTemplates'>

export const readMessageTemplates = () => get('/v1/merchant/message-templates')
export const changeMessageTemplates = (body: BodyOf<'put', '/v1/merchant/message-templates'>) =>
  put('/v1/merchant/message-templates', { body })
